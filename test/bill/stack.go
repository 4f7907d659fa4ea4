package bill

import "encoding/json"

// Stack is what the bill has to know of the stack that is deployed.
type Stack struct {
	Memory                       map[string]float64 // MB, by function
	Keys, Rotated, Secrets       int
	AlarmMetrics, Dashboards     int
	Functions, Routes, Resources int
	Bytes                        int // of the template
}

// readStack reads the stack from a template.
func readStack(template []byte) (Stack, error) {
	var is struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				MemorySize        float64
				EnableKeyRotation bool
				Metrics           []struct{ MetricStat any }
			}
		}
	}
	if err := json.Unmarshal(template, &is); err != nil {
		return Stack{}, err
	}
	s := Stack{Memory: map[string]float64{}, Resources: len(is.Resources), Bytes: len(template)}
	for name, r := range is.Resources {
		switch r.Type {
		case "AWS::Lambda::Function":
			s.Functions++
			s.Memory[name[:len(name)-8]] = r.Properties.MemorySize // without the CDK's hash
		case "AWS::ApiGatewayV2::Route":
			s.Routes++
		case "AWS::KMS::Key":
			s.Keys++
			if r.Properties.EnableKeyRotation {
				s.Rotated++
			}
		case "AWS::SecretsManager::Secret":
			s.Secrets++
		case "AWS::CloudWatch::Dashboard":
			s.Dashboards++
		case "AWS::CloudWatch::Alarm":
			metrics := 0
			for _, m := range r.Properties.Metrics {
				if m.MetricStat != nil {
					metrics++
				}
			}
			s.AlarmMetrics += max(1, metrics)
		}
	}
	return s, nil
}

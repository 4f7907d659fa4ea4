package jsonnet

import (
	"fmt"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
)

// Check judges a program without running it: whether it can be read, names only
// what there is, and imports nothing, which none may. Its error is an *Error.
//
// It reads in this process, so it is for programs of whoever asks.
func Check(source []byte) error {
	if len(source) > maxSource {
		return &Error{fmt.Sprintf("the program is too large: at most %d KB", maxSource>>10)}
	}
	program, err := jsonnet.SnippetToAST("program", string(source))
	if err != nil {
		return &Error{short(err.Error())}
	}
	return imports(program)
}

func imports(node ast.Node) error {
	switch node.(type) {
	case *ast.Import, *ast.ImportStr, *ast.ImportBin:
		return &Error{node.Loc().String() + ": imports are not allowed"}
	}
	for _, child := range toolutils.Children(node) {
		if err := imports(child); err != nil {
			return err
		}
	}
	return nil
}

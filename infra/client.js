// Tells the API whose a request is. What a client says of itself is written over.
function handler(event) {
  var request = event.request;
  request.headers['x-styx-client'] = { value: event.viewer.ip };
  return request;
}

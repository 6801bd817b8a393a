"""One module for each way to ask. A route is given the service, the request and its deadline, and returns the response
or raises a RequestError."""

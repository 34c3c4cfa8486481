"""The REST API: parse, call the application, render. Everything asynchronous of the server lives here."""

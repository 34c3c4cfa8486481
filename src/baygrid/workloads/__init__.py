"""Reference applications: real AI work whose speed rates a centre. Each is a package of its own."""

"""Data across a border: what a column is in law, what a contract lets be read, how many persons that shows,
and the chain that an audit hangs on. What the law says of it is `law`'s; here are only its words."""

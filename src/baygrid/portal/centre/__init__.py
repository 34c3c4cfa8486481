"""Pages for the operator of a centre: its agent and nodes, what runs there, its prices, what it earned."""

"""An attempt's directory at a centre: what every driver that starts processes has of it."""

"""What is free on which nodes, parts of accelerators too; what is kept or reserved there."""

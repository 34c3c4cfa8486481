"""Scenarios in the ways of the vehicle and of what is around it: what each is, and when it is one."""

"""Which site, seen with an old view: jobs of one region go to many sites that tell late what they do.

A site (a Slurm centre, say) has its own queue. A job that is sent early is bound early; one that is sent when
its site is known to be idle lets a slot stand empty for as long as the news took. So a site is sent what is
believed to fit, and a few jobs more: as many as will have ended before the next word of it (late binding,
`max_pending`). All others wait in the broker, in its own order.
"""

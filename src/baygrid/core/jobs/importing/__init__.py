"""Job files of other systems as job files of Baygrid. Nothing is dropped in silence: what has no meaning
here is named with the reason, and so is what had to be assumed."""

"""Where sources lie: folders of this machine, buckets, the region's own objects. All are read only."""

"""Objects in pictures: a detector that the images and the driving application share."""

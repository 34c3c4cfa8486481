"""The task `read`: where there is text in a picture, and what it says, in Chinese and English."""

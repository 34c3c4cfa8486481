"""Where the vehicle was, and how it moved: from satellite fixes, an inertial unit and the wheels."""

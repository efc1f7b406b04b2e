"""What the targets of one server know of each other: claims, former names, clients that look alike."""

"""Golden cases that travel with the package: proof, on the user's own device, that the arithmetic is right."""

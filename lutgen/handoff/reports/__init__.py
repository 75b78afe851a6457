"""What Vivado reports: read, and put beside the estimates."""

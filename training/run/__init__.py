"""What training runs share: processes side by side."""

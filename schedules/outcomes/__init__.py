"""What became of deliveries, counted by quarters of an hour: kept by the workers, read by pages."""

"""What a speech stream costs: ours, the stock plugin's, and what no client can do without."""

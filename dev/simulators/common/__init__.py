"""What every vendor simulator shares: clock, faults, journal, rate windows, serving and inspection."""

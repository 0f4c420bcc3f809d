"""What is kept between requests, alone in memory."""

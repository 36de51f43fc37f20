"""Programs in JavaScript against the sandbox: `make test-browser` runs these, for they need Node.js."""

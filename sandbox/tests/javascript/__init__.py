"""Programs in JavaScript against the sandbox: `make test-javascript` runs these, for they need Node.js."""

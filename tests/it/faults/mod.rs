//! What goes wrong around a backend. Every test ends with the same question: is everything given back, and does the next call work?

mod cancelled; // Callers that give up, at each place where they can.
mod ended; // Sessions that are ended while they write: nothing twice, nothing lost.
mod exhausted; // Too few connections: the server's, and the budget's.
mod large; // Many rows: no other task stalls, and streams take no memory.
mod line; // Calls that others do the work of, on connections that go from caller to caller.
mod pooler; // A pooler between, which lends sessions per transaction.
mod restarted; // Servers that go away and come back, and sessions that somebody ends.
mod runtimes;
mod silent; // Peers that take a connection and say nothing. // Several runtimes, and backends that are dropped anywhere.

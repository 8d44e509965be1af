//! What goes wrong around a backend. Every test ends with the same question: is everything given back, and does the next call work?

mod cancelled; // Callers that give up, at each place where they can.

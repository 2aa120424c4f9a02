// Package system tests the snapback binary as an operator meets it: started,
// stopped, killed, started again, beside an external NATS server.
package system

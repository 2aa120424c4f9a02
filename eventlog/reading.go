package eventlog

// EventStreams are the names of the streams that hold the records of a log with
// so many shards: what somebody must be allowed to read who reads all of it.
func EventStreams(shards int) []string {
	names := make([]string, shards)
	for i := range names {
		names[i] = eventStream(i)
	}
	return names
}

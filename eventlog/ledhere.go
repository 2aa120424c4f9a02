package eventlog

import "context"

// Clustered says whether the server of this process may be one of several, so
// that another one leads a stream, also where there is but one copy of it.
func (l *Log) Clustered() bool { return l.cfg.InProcess != nil }

// LeadsRecords says whether the server of this process leads the stream of a
// shard's records: then these are stamped by the clock of this process.
func (l *Log) LeadsRecords(ctx context.Context, shard int) (bool, error) {
	var info struct {
		answer
		Cluster struct {
			Leader string `json:"leader"`
		} `json:"cluster"`
	}
	if err := l.api(ctx, "STREAM.INFO."+eventStream(shard), struct{}{}, &info); err != nil {
		return false, err
	}
	return info.Cluster.Leader != "" && info.Cluster.Leader == l.Server(), nil
}

// Elected gives what is closed when a leader of the stream of a shard's records
// is elected next; on a log with one copy never.
func (l *Log) Elected(shard int) <-chan struct{} { return l.elections.of(eventStream(shard)) }

package eventlog

import "context"

// Clustered says whether the server of this process is one of several, so that
// another one may lead a stream.
func (l *Log) Clustered() bool { return l.cfg.InProcess != nil && l.cfg.Replicas > 1 }

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

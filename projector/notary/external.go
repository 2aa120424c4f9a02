package notary

func (n *Notary) file(s *shard) {}

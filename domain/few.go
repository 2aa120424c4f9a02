package domain

// few is a map that keeps the order of its keys and is quick while they are few.
type few[K comparable, V any] struct {
	keys   []K
	values []V       // of the key at the same index
	index  map[K]int // where in keys, made when they are many
}

// fewMost is up to how many keys are looked through one by one.
const fewMost = 8

func (f *few[K, V]) find(k K) int {
	if f.index != nil {
		if i, ok := f.index[k]; ok {
			return i
		}
		return -1
	}
	for i := range f.keys {
		if f.keys[i] == k {
			return i
		}
	}
	return -1
}

// get gives the value of k, zero if there is none.
func (f *few[K, V]) get(k K) (v V) {
	if i := f.find(k); i >= 0 {
		v = f.values[i]
	}
	return v
}

// at gives the value of k to be changed before the next call, zero if there
// was none.
func (f *few[K, V]) at(k K) *V {
	i := f.find(k)
	if i < 0 {
		i = len(f.keys)
		var zero V
		f.keys, f.values = append(f.keys, k), append(f.values, zero)
		f.note(i)
	}
	return &f.values[i]
}

// note keeps the index for keys[i], which is new and the last.
func (f *few[K, V]) note(i int) {
	switch {
	case f.index != nil:
		f.index[f.keys[i]] = i
	case len(f.keys) > fewMost:
		f.index = make(map[K]int, 4*fewMost)
		for i, k := range f.keys {
			f.index[k] = i
		}
	}
}

package gocache

// Stats counts what became of the requests of one go command.
type Stats struct {
	// Gets is how often the go command asked; Hits and Misses add up to it,
	// but for requests that make no sense.
	Gets   int  `json:"gets"`
	Hits   Hits `json:"hits"`
	Misses int  `json:"misses"`
	Puts   int  `json:"puts"`
	// Unkept is the puts that the store could not take.
	Unkept int   `json:"unkept"`
	Waits  Waits `json:"waits"`
	// Corrupt is the objects and layers that were taken as missing since they
	// are not what they should be.
	Corrupt int   `json:"corrupt"`
	Bytes   Bytes `json:"bytes"`
}

// Hits is the gets that were answered, by where the object was.
type Hits struct {
	Layer int `json:"layer"`
	Store int `json:"store"`
	// Put is what the same go command has put before.
	Put int `json:"put"`
}

// Waits is the gets that waited for another process.
type Waits struct {
	Count int `json:"count"`
	// Hits is the waits at whose end the object was there.
	Hits    int     `json:"hits"`
	Seconds float64 `json:"seconds"`
}

// Bytes is how much was read and written. An object that was asked for twice
// counts twice, though it is read once.
type Bytes struct {
	Layer int64 `json:"layer"`
	Store int64 `json:"store"`
	Put   int64 `json:"put"`
	// Out is what the layer holds in the end, whoever wrote it.
	Out int64 `json:"out"`
}

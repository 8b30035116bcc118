package smt

// queue gives the variable of the greatest activity, of several the first. It
// is a binary heap.
type queue struct {
	activity []float64 // by variable
	heap     []int
	place    []int // by variable: where it stands in the heap, or -1
}

func (q *queue) variable() {
	q.activity = append(q.activity, 0)
	q.place = append(q.place, -1)
	q.push(len(q.place) - 1)
}

func (q *queue) before(v, w int) bool {
	if a, b := q.activity[v], q.activity[w]; a != b {
		return a > b
	}
	return v < w
}

// push puts a variable in, unless it is there.
func (q *queue) push(v int) {
	if q.place[v] < 0 {
		q.heap = append(q.heap, v)
		q.up(len(q.heap) - 1)
	}
}

// pop takes the first variable out; -1 when there is none.
func (q *queue) pop() int {
	if len(q.heap) == 0 {
		return -1
	}
	v := q.heap[0]
	q.place[v] = -1
	last := q.heap[len(q.heap)-1]
	q.heap = q.heap[:len(q.heap)-1]
	if len(q.heap) > 0 {
		q.heap[0] = last
		q.down(0)
	}
	return v
}

// raised moves a variable whose activity has grown.
func (q *queue) raised(v int) {
	if q.place[v] >= 0 {
		q.up(q.place[v])
	}
}

func (q *queue) up(i int) {
	v := q.heap[i]
	for i > 0 && q.before(v, q.heap[(i-1)/2]) {
		q.set(i, q.heap[(i-1)/2])
		i = (i - 1) / 2
	}
	q.set(i, v)
}

func (q *queue) down(i int) {
	v := q.heap[i]
	for 2*i+1 < len(q.heap) {
		child := 2*i + 1
		if child+1 < len(q.heap) && q.before(q.heap[child+1], q.heap[child]) {
			child++
		}
		if !q.before(q.heap[child], v) {
			break
		}
		q.set(i, q.heap[child])
		i = child
	}
	q.set(i, v)
}

func (q *queue) set(i, v int) {
	q.heap[i] = v
	q.place[v] = i
}

// A board server as a Socket.IO application has it: a room per board, every
// change broadcast to the room and then acknowledged. The cards are in memory,
// or, with --postgres, in a table: committed first, broadcast and acknowledged
// after.
'use strict'

const http = require('http')
const { parseArgs } = require('util')
const { Client } = require('pg')
const { Server } = require('socket.io')

const { values: flags } = parseArgs({
  options: {
    postgres: { type: 'string' }, // connection URL
    connections: { type: 'string', default: '8' } // to Postgres
  }
})

// Both stores give: put(board, card), which resolves to the card as stored,
// and all(board).

function memory () {
  const boards = new Map()
  const cards = board => boards.get(board) ?? boards.set(board, new Map()).get(board)
  return {
    put (board, card) {
      const of = cards(board)
      card.rev = (of.get(card.id)?.rev ?? 0) + 1
      of.set(card.id, card)
      return card
    },
    all: board => [...cards(board).values()]
  }
}

// postgres commits each change by itself; synchronous_commit is on by default.
// Its connections are pipelined: many changes are under way on each, those of
// one card always on the same, so they are committed and heard in one order.
async function postgres (url) {
  const connections = await Promise.all(Array.from({ length: Number(flags.connections) }, async () => {
    const client = new Client({ connectionString: url, pipeline: true })
    await client.connect()
    return client
  }))
  const of = (board, id = '') => {
    let hash = 0
    for (const c of board + '/' + id) hash = (hash * 31 + c.charCodeAt(0)) | 0
    return connections[(hash >>> 0) % connections.length]
  }
  await of('').query(`CREATE TABLE IF NOT EXISTS cards (
    board text, id text, rev bigint NOT NULL, data jsonb NOT NULL, PRIMARY KEY (board, id)) WITH (fillfactor = 50)`)
  return {
    async put (board, card) {
      const { rows } = await of(board, card.id).query({
        name: 'put',
        text: `INSERT INTO cards AS c (board, id, rev, data) VALUES ($1, $2, 1, $3)
          ON CONFLICT (board, id) DO UPDATE SET rev = c.rev + 1, data = excluded.data RETURNING rev`,
        values: [board, card.id, card]
      })
      card.rev = Number(rows[0].rev)
      return card
    },
    async all (board) {
      const { rows } = await of(board).query({ name: 'all', text: 'SELECT rev, data FROM cards WHERE board = $1', values: [board] })
      return rows.map(row => ({ ...row.data, rev: Number(row.rev) }))
    }
  }
}

async function main () {
  const store = flags.postgres ? await postgres(flags.postgres) : memory()
  const revs = new Map() // of each board: how many changes were broadcast
  const server = http.createServer()
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false })
  io.engine.on('connection', raw => { raw.request = null }) // "Discard the initial HTTP request"

  io.on('connection', async socket => {
    const { board } = socket.handshake.auth

    const changed = (card, acknowledge) => {
      const rev = (revs.get(board) ?? 0) + 1
      revs.set(board, rev)
      io.to(board).emit('sync', { rev, entity: card })
      acknowledge({ rev })
    }
    socket.on('mutate', (card, acknowledge) => {
      const stored = store.put(board, card)
      if (!(stored instanceof Promise)) return changed(stored, acknowledge)
      stored.then(
        card => changed(card, acknowledge),
        err => acknowledge({ error: err.message }))
    })

    socket.join(board)
    socket.emit('board', await store.all(board))
  })

  server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port))
}

main().catch(err => { console.error(err); process.exit(1) })

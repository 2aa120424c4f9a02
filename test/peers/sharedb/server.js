// ShareDB as its documentation sets it up: its in-memory database and pub/sub,
// on the ws package. A board is a collection with a document per card.
'use strict'

const http = require('http')
const ShareDB = require('sharedb')
const { WebSocketServer } = require('ws')
const WebSocketJSONStream = require('@teamwork/websocket-json-stream')

const backend = new ShareDB()
const server = http.createServer()
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', ws => {
  const stream = new WebSocketJSONStream(ws)
  stream.on('error', () => {}) // a client that left while it was written to
  backend.listen(stream)
})
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port))

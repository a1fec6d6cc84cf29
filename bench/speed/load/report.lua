-- Readers' reports for wrk: one of 40 passages of one of 5,000 articles, each from another address.
-- Arguments after "--": the site's key, the seed.

dofile("told.lua")

local key, sent

function init(args)
  key, sent = args[1], 0
  math.randomseed(tonumber(args[2]))
end

local function id()
  local words = {}
  for i = 1, 4 do words[i] = string.format("%08x", math.random(0, 0x7fffffff)) end
  return table.concat(words)
end

local FILLER = string.rep("The river rose above the old bridge on Tuesday morning. ", 8)
local BODY = [[{"target":{"source":"https://news.example/%d/the-river","canonical":"https://news.example/%d/the-river",
"title":"The river rose above the bridge","lang":"en","selector":[{"type":"TextQuoteSelector","exact":"brigde %d","prefix":"%s",
"suffix":"%s"},{"type":"TextPositionSelector","start":%d,"end":%d}]},"suggestion":"bridge %d","comment":"%s %s","category":"typo"}]]

function request()
  sent = sent + 1
  local article, passage = math.random(1, 5000), math.random(10, 49)
  local start = passage * 100
  local body = string.format(BODY, article, article, passage, FILLER:sub(1, 64), FILLER:sub(65, 128),
    start, start + 9, passage, id(), FILLER:sub(1, 300))
  local address = string.format("10.%d.%d.%d", math.random(0, 3), math.random(0, 255), math.random(0, 255))
  return wrk.format("POST", "/api/v1/sites/" .. key .. "/reports", {
    ["Content-Type"] = "application/json", ["Origin"] = "https://news.example",
    ["Idempotency-Key"] = id(), ["X-Forwarded-For"] = address,
  }, body)
end

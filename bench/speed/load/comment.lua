-- Comments of about 1 kB for isso, on one of 100 pages.
-- Arguments after "--": nothing, the seed.

dofile("told.lua")

function init(args)
  math.randomseed(tonumber(args[2]))
end

local FILLER = string.rep("The river rose above the old bridge on Tuesday morning. ", 16):sub(1, 850)

function request()
  local body = string.format('{"author":"reader %d","title":"t","text":"%d %s"}', math.random(1, 1e9), math.random(1, 1e9), FILLER)
  return wrk.format("POST", "/new?uri=/news/" .. math.random(1, 100), { ["Content-Type"] = "application/json" }, body)
end

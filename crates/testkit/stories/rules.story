# A rule lets a folder go a day after each write: what is there is planned when the rule comes, what comes later as it comes.
bucket photos
put photos/logs/old "one"
put photos/kept "two"
put photos/logs/held "three" guarded 3d
advance 6h
rule photos logs/ after 1
reclaim
put photos/logs/new "four"
advance 17h
get photos/logs/old "one"
advance 1h
get photos/logs/old missing
get photos/logs/new "four"
get photos/kept "two"
reclaim
show photos
  bucket live
  kept live 3
  logs/held live 5
  logs/new live 4
  logs/old removed 3 lifecycle

# Whoever brings it back means it to stay.
restore photos/logs/old
advance 7h
get photos/logs/old "one"
get photos/logs/new missing
reclaim
show photos
  bucket live
  kept live 3
  logs/held live 5
  logs/new removed 4 lifecycle
  logs/old live 3

# What is guarded waits for the end of its guard.
advance 2d
reclaim
get photos/logs/held missing

# Without the rule nothing goes that has not gone yet.
no rule photos
reclaim
put photos/logs/last "five"
advance 3d
reclaim
get photos/logs/last "five"
get photos/kept "two"
check

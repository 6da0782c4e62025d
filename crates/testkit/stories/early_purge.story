# The purge verb goes before every promise, and past no guard.
bucket photos
put photos/a 64KiB
put photos/b "one"
purge bucket photos refused NotRemoved
delete photos/b
delete bucket photos
advance 1h
purge bucket photos
purge bucket photos
restore bucket photos refused PurgeInProgress
reclaim
advance 30s
reclaim
disk empty
purge bucket photos refused Purged

bucket photos
put photos/a "one" free 1d guarded 3d
delete bucket photos
advance 2d
purge bucket photos refused HoldsGuarded
reclaim
restore bucket photos
get photos/a "one"
check

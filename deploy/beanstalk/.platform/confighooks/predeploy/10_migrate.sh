#!/bin/sh
# Settings have changed, perhaps the database: the same as when a version is deployed.
exec .platform/hooks/predeploy/10_migrate.sh

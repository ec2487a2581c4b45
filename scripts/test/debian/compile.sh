#!/bin/bash
# test-install.sh runs this script on the host, in a copy of the guest's root folder. The script builds
# the module with DKMS for the guest's kernel, from both versions of the package, and keeps the
# objects in /ccache.
set -euo pipefail

export LC_ALL=C DEBIAN_FRONTEND=noninteractive
export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=/ccache CCACHE_COMPILERCHECK=content
export CCACHE_MAXSIZE=100M

dpkg -i /srv/debian/*.deb
release=$(cd /lib/modules && echo *)
for package in /repository/{old,new}/theseus-mm-dkms_*.deb; do
	dpkg --unpack "$package"
	version=$(dpkg-query -W -f '${Version}' theseus-mm-dkms)
	dkms build "theseus-mm/$version" -k "$release"
done
ccache -s

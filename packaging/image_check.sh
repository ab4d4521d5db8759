#!/bin/sh
# Validates the CronJob against the oldest and the newest Kubernetes that kubernetes-validate knows,
# builds the image, with Debian's busybox instead of a public image's, and runs the CronJob's own
# command in it against the stand-in, as its user. The folder of kubernetes-validate is made once,
# and used again. There is no kubelet: what it would do is imitated. For root (buildah --isolation
# chroot).
set -eu
cd "$(dirname "$0")/.."

if ! command -v buildah > /dev/null || ! python3 -c 'import ensurepip' 2> /dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends buildah python3-venv
fi
. tests/nightly.sh

venv=target/kubernetes-validate
if [ ! -x "$venv/bin/kubernetes-validate" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" -q install 'kubernetes-validate~=1.37'
fi

python=$venv/bin/python
serve
sed "s|TASK_ID|$task|; s|IMAGE|localhost/job|" doc/kubernetes/cronjob.yaml > "$folder/cronjob.yaml"

# valid MANIFEST: for the oldest and the newest version. What has no schema would be a mere warning.
valid() {
    for version in $("$python" -c '
from kubernetes_validate.utils import all_versions
print(all_versions()[0], all_versions()[-1])'); do
        "$python" -m kubernetes_validate --strict --kubernetes-version "$version" "$1" \
            > "$folder/said"
        cat "$folder/said"
        [ "$(grep -c '^INFO .* passed ' "$folder/said")" -eq 2 ] || return 1
    done
}
valid "$folder/cronjob.yaml"
for key in concurrencyPolicy onExitCodes readOnlyRootFilesystem defaultMode; do
    sed "s/$key/x$key/" "$folder/cronjob.yaml" > "$folder/misspelt.yaml"
    if valid "$folder/misspelt.yaml"; then
        echo "image-check: kubernetes-validate takes x$key" >&2
        exit 1
    fi
done

buildah() {
    command buildah --root "$folder/images" --runroot "$folder/run" --storage-driver vfs "$@"
}

# In the public image's place: busybox, and a link for each of its applets.
mkdir -p "$folder/base/bin" "$folder/program"
apt-cache show busybox-static > /dev/null 2>&1 || apt-get -q update
(cd "$folder" && apt-get -q -o APT::Sandbox::User=root download busybox-static &&
    dpkg-deb --fsys-tarfile busybox-static_*.deb | tar --extract --directory=base ./bin/busybox)
for applet in $("$folder/base/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$folder/base/bin/$applet"
done
base=$(buildah from scratch)
buildah copy "$base" "$folder/base" /
buildah commit "$base" localhost/busybox
cp target/codearts-check-log "$folder/program"
buildah build --isolation chroot --build-arg BASE=localhost/busybox --tag localhost/job \
    --file doc/kubernetes/Containerfile "$folder/program"
job=$(buildah from localhost/job)
contents=$(find "$(buildah mount "$job")" -type f -printf '%P\n' | sort | tr '\n' ' ')
[ "$contents" = 'bin/busybox usr/bin/codearts-check-log ' ] ||
    { echo "the image has $contents" >&2; exit 1; }

# The CronJob's command, with its variables.
command=$("$python" - "$folder/cronjob.yaml" << 'end'
import shlex, sys, yaml
cronjob = next(yaml.safe_load_all(open(sys.argv[1])))
(container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
variables = [f"{variable['name']}={variable['value']}" for variable in container["env"]]
print(shlex.join(["env", *variables, *container["command"]]))
end
)
# The volumes as the kubelet hands them over: root's, and the group's that fsGroup names.
group=$(sed -n 's/ *fsGroup: //p' "$folder/cronjob.yaml")
install -d -o 0 -g "$group" -m 2775 "$folder/packages"
install -d -o 0 -g "$group" -m 750 "$folder/secret"
install -m 644 "$folder/served/ca.pem" "$folder/secret"

# run_job SECRET_FILE: as the image's user.
run_job() {
    install -o 0 -g "$group" -m 440 "$1" "$folder/secret/credentials"
    buildah run --isolation chroot --workingdir /packages \
        --volume "$folder/packages:/packages" --volume "$folder/secret:/secret:ro" \
        --env CODEARTS_CHECK_ENDPOINT="$endpoint" --env SSL_CERT_FILE=/secret/ca.pem \
        "$job" sh -c "exec $command"
}
nights "$folder/packages/$task" run_job "$folder/served/credentials"
# What a run left that was killed goes after a day: see the number of files below.
setpriv --reuid 65532 --regid "$group" --clear-groups \
    touch -d '2 days ago' "$folder/packages/$task/.codearts-check-log.1.2"
# No warning of the Secret's file, which its group may read.
said=$(run_job "$folder/served/credentials" 2>&1)
[ -z "$said" ] || { echo "image-check: the job is not silent: $said" >&2; exit 1; }
# Nothing is root's, or in another place.
[ -z "$(find "$folder/packages" -mindepth 1 ! -uid 65532)" ]
[ "$(find "$folder/packages" -type f | wc -l)" -eq 3 ]

sed 's/^sk = .*/sk = wrong/' "$folder/served/credentials" > "$folder/wrong"
code=0
run_job "$folder/wrong" || code=$?
[ "$code" -eq 41 ] || { echo "image-check: expected exit code 41, not $code" >&2; exit 1; }
echo 'All as it should be.'

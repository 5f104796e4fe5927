#!/bin/sh
# Starts Envoy with the Rust module: stand-alone, as a kgateway proxy, or as a plain Envoy.
#
# Called by the container runtime as PID 1 and gone after `exec`: Envoy takes its place and gets
# the signals. Only shell built-ins are used, so it runs wherever there is a /bin/sh; it needs no
# root and writes nothing, so a read-only root file system and any uid will do.
#
#   (no words), or words starting with "-"   run Envoy with them
#   envoy ...                                 the same
#   anything else                             run that instead (a shell, for looking around)
#
# kgateway gives the options but not the configuration: it mounts envoy.yaml over /etc/envoy and
# leaves it to the image to find it. It also counts on a static secret SYSTEM_CA_CERT, and from 2.4
# on a node locality; both are merged in through --config-yaml. A configuration that brings the secret
# keeps its own.
#
# Environment
#   INPUT_CONF           configuration file (default /etc/envoy/envoy.yaml)
#   ENVOY                Envoy binary (default /usr/local/bin/envoy)
#   ENVOY_DYNAMIC_MODULES_SEARCH_PATH   folder of librust_module.so (default /usr/local/lib)
#   ENVOY_SIDECAR        not empty: run /etc/envoy/envoy-sidecar.yaml as it is
#   DISABLE_CORE_DUMPS   "true": no core files
#   KGATEWAY_NODE_REGION, KGATEWAY_NODE_ZONE, KGATEWAY_NODE_SUBZONE
#                        node locality; each goes before the pod's topology label
#   PODINFO_LABELS       the pod's labels, as the downward API writes them
#                        (default /etc/podinfo/labels)
#
# Refuses, with one sentence and status 64: no module, no readable configuration, a configuration
# that still holds pod templates (this script expands none), a locality that is not a label value.
set -eu

refuse() {
    printf 'docker-entrypoint: %s\n' "$*" >&2
    exit 64
}

envoy=${ENVOY:-/usr/local/bin/envoy}
config=${INPUT_CONF:-/etc/envoy/envoy.yaml}
labels=${PODINFO_LABELS:-/etc/podinfo/labels}
names_ca=''
region=''
zone=''
subzone=''

# Templates that nobody will expand would reach Envoy as host names and cluster names.
# Templates of the module itself, such as {{ model }}, also live in such files and are let through:
# pod templates are Go's, which begin with a dot, a dollar or a keyword that Jinja never has there.
# On the way it is seen whether the file names the secret.
read_config() {
    number=0
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        case $line in
        *SYSTEM_CA_CERT*) names_ca=yes ;;
        esac
        case $line in
        *'{{.'* | *'{{ .'* | *'{{- .'* | *'{{$'* | *'{{ $'* | *'{{- $'* | \
            *'{{if '* | *'{{ if '* | *'{{- if '* | *'{{range '* | *'{{ range '* | *'{{- range '* | \
            *'{{with '* | *'{{ with '* | *'{{- with '*)
            refuse "$1 line $number holds a pod template, and templates are not expanded here;" \
                "write the value itself, or keep kgateway's own image and mount only the module."
            ;;
        esac
    done <"$1"
}

# Envoy refuses a secret that is there twice. That a file has the name does not tell whether it brings the
# secret: clusters that use it name it as well. So Envoy is asked, which reads every syntax that it takes. It
# looks at secrets before anything else, and only a file with the name is asked about.
brings_ca() {
    case $("$envoy" --mode validate -c "$config" --config-yaml "{$1}" 2>&1) in
    *'Duplicate static'*'secret name SYSTEM_CA_CERT'*) ;;
    *) return 1 ;;
    esac
}

# The downward API writes one label per line: key="value".
read_labels() {
    while IFS= read -r line || [ -n "$line" ]; do
        value=${line#*=\"}
        value=${value%\"}
        case $line in
        'topology.kubernetes.io/region='*) region=$value ;;
        'topology.kubernetes.io/zone='*) zone=$value ;;
        'topology.istio.io/subzone='*) subzone=$value ;;
        esac
    done <"$labels"
}

# Locality ends up inside JSON, so only what a label value may hold is let in.
check_label() {
    case $2 in
    *[!A-Za-z0-9._-]*) refuse "$1 is \"$2\"; only letters, digits, '.', '_' and '-' can be in a locality." ;;
    esac
}

# Prints the bundle of certificate authorities of this image, whichever distribution it is made of.
system_ca() {
    for bundle in \
        /etc/ssl/certs/ca-certificates.crt \
        /etc/pki/tls/certs/ca-bundle.crt \
        /etc/ssl/ca-bundle.pem \
        /etc/pki/tls/cacert.pem \
        /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem \
        /etc/ssl/cert.pem; do
        if [ -r "$bundle" ]; then
            printf '%s' "$bundle"
            return
        fi
    done
}

if [ $# -gt 0 ]; then
    case $1 in
    -*) ;;
    envoy | "$envoy") shift ;;
    *) exec "$@" ;;
    esac
fi

if [ "${DISABLE_CORE_DUMPS:-}" = true ]; then
    # Not in POSIX, but in every shell that a container has; a shell without it must still start.
    # shellcheck disable=SC3045
    ulimit -c 0 2>/dev/null || :
fi

if [ -n "${ENVOY_SIDECAR:-}" ]; then
    exec "$envoy" -c /etc/envoy/envoy-sidecar.yaml "$@"
fi

# Envoy takes no value that is joined to its option, and callers write such words.
for word in "$@"; do
    shift
    case $word in
    --config-path=* | --config-yaml=*) set -- "$@" "${word%%=*}" "${word#*=}" ;;
    -c=*) set -- "$@" -c "${word#-c=}" ;;
    -c?*) set -- "$@" -c "${word#-c}" ;;
    *) set -- "$@" "$word" ;;
    esac
done

# Envoy takes neither option twice, so what the caller brings is not added again.
own_path=''
own_yaml=''
previous=''
for word in "$@"; do
    case $word in
    --version | --help | -h | --hot-restart-version) exec "$envoy" "$@" ;;
    -c | --config-path) own_path=yes ;;
    --config-yaml) own_yaml=yes ;;
    esac
    case $previous in
    -c | --config-path) config=$word ;;
    esac
    previous=$word
done

export ENVOY_DYNAMIC_MODULES_SEARCH_PATH="${ENVOY_DYNAMIC_MODULES_SEARCH_PATH:-/usr/local/lib}"
module=$ENVOY_DYNAMIC_MODULES_SEARCH_PATH/librust_module.so
if [ ! -r "$module" ]; then
    refuse "$module is missing or unreadable; set ENVOY_DYNAMIC_MODULES_SEARCH_PATH to the folder" \
        "that holds librust_module.so, or check the volume that brings it."
fi

# A whole configuration on the command line leaves nothing to find or to merge.
if [ -n "$own_yaml" ]; then
    exec "$envoy" "$@"
fi

if [ ! -r "$config" ]; then
    refuse "the configuration $config is missing or unreadable; mount one there or name one with" \
        "INPUT_CONF (a sample is in /usr/share/rustformations/envoy.yaml)."
fi
read_config "$config"

merged=''
bundle=$(system_ca)
if [ -n "$bundle" ]; then
    merged='"static_resources":{"secrets":[{"name":"SYSTEM_CA_CERT","validation_context":{"trusted_ca":{"filename":"'$bundle'"}}}]}'
    if [ -n "$names_ca" ] && brings_ca "$merged"; then
        merged=''
    fi
fi

if [ -r "$labels" ]; then
    read_labels
fi
region=${KGATEWAY_NODE_REGION:-$region}
zone=${KGATEWAY_NODE_ZONE:-$zone}
subzone=${KGATEWAY_NODE_SUBZONE:-$subzone}
check_label "the node's region" "$region"
check_label "the node's zone" "$zone"
check_label "the node's subzone" "$subzone"
if [ -n "$region$zone$subzone" ]; then
    merged=$merged${merged:+,}'"node":{"locality":{"region":"'$region'","zone":"'$zone'","sub_zone":"'$subzone'"}}'
fi

if [ -z "$own_path" ]; then
    set -- -c "$config" "$@"
fi
if [ -n "$merged" ]; then
    set -- --config-yaml "{$merged}" "$@"
fi
exec "$envoy" "$@"

#!/bin/sh
# The lab on kind: a cluster, kgateway, our image as its proxy, one request, and the proof that our
# module answered. Run by a person, from anywhere in the clone; `make` does not need it.
#
#   k8s/lab.sh [--dry-run] [--kgateway 2.2|2.3|2.4] [up | down | STEP...]
#
#   up     every step below, in order (default)
#   down   deletes the cluster
#   STEP   check cluster gateway-api kgateway image mock apply wait request
#
# Every step may be repeated. --dry-run prints the commands and runs nothing. A failure is one
# sentence with the remedy, and status 1; a wrong command line is status 64.
#
# Environment: LAB_CLUSTER (ai-gateway-lab), LAB_PORT (8082), LAB_ADMIN_PORT (19000),
# LAB_HTTPBUN_IMAGE (sharat87/httpbun:latest, must be the one the overlay names),
# KIND_NODE_IMAGE (kind's default).
set -eu

cluster=${LAB_CLUSTER:-ai-gateway-lab}
port=${LAB_PORT:-8082}
admin_port=${LAB_ADMIN_PORT:-19000}
httpbun=${LAB_HTTPBUN_IMAGE:-sharat87/httpbun:latest}
context=kind-$cluster
namespace='kgateway-system'
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
steps='check cluster gateway-api kgateway image mock apply wait request'
dry_run=''
line=2.4

say() { printf '%s\n' "$*"; }

fail() {
    printf 'lab: %s\n' "$*" >&2
    exit 1
}

synopsis="usage: k8s/lab.sh [--dry-run] [--kgateway 2.2|2.3|2.4] [up | down | STEP...]
steps: $steps"

usage() {
    printf 'lab: %s\n%s\n' "$1" "$synopsis" >&2
    exit 64
}

# run REMEDY COMMAND...: shows the command, runs it unless this is a dry run.
run() {
    remedy=$1
    shift
    say "+ $*"
    if [ -z "$dry_run" ]; then
        "$@" || fail "'$1 $2' failed: $remedy"
    fi
}

# at_least WANTED FOUND: compares major.minor.
at_least() {
    [ "${2%%.*}" -gt "${1%%.*}" ] && return 0
    [ "${2%%.*}" -eq "${1%%.*}" ] || return 1
    minor=${2#*.}
    [ "${minor%%.*}" -ge "${1#*.}" ]
}

# tool NAME WANTED REMEDY COMMAND...: the first x.y in the command's output has to be new enough.
tool() {
    name=$1
    wanted=$2
    remedy=$3
    shift 3
    say "# needs $name $wanted or later"
    [ -z "$dry_run" ] || return 0
    command -v "$name" >/dev/null 2>&1 || fail "$name is not installed; $remedy"
    found=$("$@" 2>/dev/null | sed -n 's/[^0-9]*\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
    [ -n "$found" ] || fail "'$*' does not tell its version; $remedy"
    at_least "$wanted" "$found" || fail "$name is $found and $wanted or later is needed; $remedy"
}

step_check() {
    tool docker 20.10 'see https://docs.docker.com/get-docker/.' docker --version
    tool kind 0.20 'see https://kind.sigs.k8s.io/.' kind version
    tool kubectl 1.27 'see https://kubernetes.io/docs/tasks/tools/.' kubectl version --client
    tool helm 3.12 'see https://helm.sh/docs/intro/install/.' helm version --short
    tool curl 7.0 'install it with your package manager.' curl --version
    run 'start Docker and see that this user may talk to it.' docker info --format '{{.ServerVersion}}'
}

step_cluster() {
    if [ -z "$dry_run" ] && kind get clusters 2>/dev/null | grep -qx "$cluster"; then
        say "# cluster $cluster is there already"
        return
    fi
    if [ -n "${KIND_NODE_IMAGE:-}" ]; then
        run "look at the lines above, then 'k8s/lab.sh down' and try again." \
            kind create cluster --name "$cluster" --image "$KIND_NODE_IMAGE" --wait 120s
    else
        run "look at the lines above, then 'k8s/lab.sh down' and try again." \
            kind create cluster --name "$cluster" --wait 120s
    fi
}

step_gateway_api() {
    run 'see that github.com can be reached.' \
        kubectl --context "$context" apply --server-side -f \
        "https://github.com/kubernetes-sigs/gateway-api/releases/download/v$gateway_api/standard-install.yaml"
}

step_kgateway() {
    for chart in kgateway-crds kgateway; do
        run "see that cr.kgateway.dev can be reached, and 'kubectl get pods -n kgateway-system'." \
            helm --kube-context "$context" upgrade --install "$chart" \
            "oci://cr.kgateway.dev/kgateway-dev/charts/$chart" \
            --namespace "$namespace" --create-namespace --version "v$kgateway" --wait --timeout 5m
    done
}

step_image() {
    run 'look at the compiler lines above; the first build needs the network.' \
        docker build --build-arg "ENVOY_VERSION=$envoy" --tag "$image" "$root"
    run "see that the cluster runs: 'k8s/lab.sh cluster'." \
        kind load docker-image "$image" --name "$cluster"
}

step_mock() {
    run 'see that docker.io can be reached.' docker pull "$httpbun"
    run "see that the cluster runs: 'k8s/lab.sh cluster'." \
        kind load docker-image "$httpbun" --name "$cluster"
}

step_apply() {
    run "the resource definitions are missing or of another line: 'k8s/lab.sh gateway-api kgateway'." \
        kubectl --context "$context" apply -k "$root/k8s/overlays/kind/$line"
}

step_wait() {
    run "'kubectl describe pod -l app=httpbun'; ErrImageNeverPull means 'k8s/lab.sh mock'." \
        kubectl --context "$context" -n default rollout status deployment/httpbun --timeout 120s
    run "'kubectl -n kgateway-system describe gateway ai-gateway'." \
        kubectl --context "$context" -n "$namespace" wait gateway/ai-gateway \
        --for=condition=Programmed --timeout 180s
    run "ErrImageNeverPull means 'k8s/lab.sh image'; anything else is in the log of the pod." \
        kubectl --context "$context" -n "$namespace" rollout status deployment/ai-gateway --timeout 180s
    run "'kubectl -n kgateway-system describe httproute httpbun-route'." \
        kubectl --context "$context" -n "$namespace" wait httproute/httpbun-route \
        --for='jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True' --timeout 60s
    run "'kubectl -n kgateway-system describe trafficpolicy my-smart-header-filter'." \
        kubectl --context "$context" -n "$namespace" wait trafficpolicy/my-smart-header-filter \
        --for='jsonpath={.status.ancestors[*].conditions[?(@.type=="Accepted")].status}=True' --timeout 60s
}

# The counter is made by this module and by no other: kgateway's own has no stats, and the headers
# come from the TrafficPolicy, so they would also be there without us.
transformed() {
    curl --silent --show-error --max-time 10 \
        "http://127.0.0.1:$admin_port/stats?filter=rustformations_responses_transformed" |
        sed -n 's/.*rustformations_responses_transformed: //p'
}

forward_pid=''
stop_forward() {
    if [ -n "$forward_pid" ]; then
        kill "$forward_pid" 2>/dev/null || :
        wait "$forward_pid" 2>/dev/null || :
        forward_pid=''
    fi
}

step_request() {
    forward="kubectl --context $context -n $namespace port-forward deployment/ai-gateway $port:8080 $admin_port:19000"
    url=http://localhost:$port/v1/chat/completions
    body='{"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]}'
    say "+ $forward &"
    say "+ curl -v -X POST $url -H \"Content-Type: application/json\" -d '$body'"
    say '# wants x-custom-transformed: true'
    say '# wants x-smart-header: method=POST&path=/v1/chat/completions'
    say '# wants the counter rustformations_responses_transformed to rise'
    [ -z "$dry_run" ] || return 0

    trap stop_forward EXIT
    trap 'exit 130' INT TERM
    # shellcheck disable=SC2086 # the words of $forward hold no spaces of their own
    $forward >/dev/null &
    forward_pid=$!
    tries=0
    until curl --silent --max-time 2 "http://127.0.0.1:$admin_port/ready" >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || fail "the proxy does not answer on port $admin_port; see that ports $port and $admin_port are free (LAB_PORT, LAB_ADMIN_PORT)."
        sleep 0.5
    done

    before=$(transformed)
    answer=$(curl --silent --show-error --max-time 20 --include -X POST "$url" \
        -H 'Content-Type: application/json' -d "$body") ||
        fail "no answer on port $port; see the proxy's log."
    answer=$(say "$answer" | tr -d '\r')
    say "$answer"
    for header in 'x-custom-transformed: true' 'x-smart-header: method=POST&path=/v1/chat/completions'; do
        say "$answer" | grep -qixF "$header" ||
            fail "the answer has no \"$header\"; see 'kubectl -n $namespace describe trafficpolicy my-smart-header-filter'."
    done
    after=$(transformed)
    [ "${after:-0}" -gt "${before:-0}" ] ||
        fail "the headers are there but the counter rustformations_responses_transformed is not: another module answered; see which image 'kubectl -n $namespace describe pods' names."
    stop_forward
    say "lab: rustformations answered ($after transformed so far)."
}

step_down() {
    run "see 'kind get clusters'." kind delete cluster --name "$cluster"
}

while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry_run=yes ;;
    --kgateway)
        [ $# -gt 1 ] || usage '--kgateway needs a line, such as 2.4.'
        line=$2
        shift
        ;;
    -h | --help)
        say "$synopsis"
        exit 0
        ;;
    -*) usage "unknown option $1." ;;
    *) break ;;
    esac
    shift
done

# kgateway, the Gateway API it is documented with, and the Envoy of its own image (2.2: the one
# that the module is tested on).
case $line in
2.2) kgateway=2.2.9 gateway_api=1.4.0 envoy=1.36.4 ;;
2.3) kgateway=2.3.7 gateway_api=1.5.1 envoy=1.37.5 ;;
2.4) kgateway=2.4.3 gateway_api=1.6.1 envoy=1.38.3 ;;
*) usage "unknown kgateway line $line." ;;
esac
image=rustformations:0.1.0-envoy$envoy

[ $# -gt 0 ] || set -- up
for wanted in "$@"; do
    case " up down $steps " in
    *" $wanted "*) ;;
    *) usage "unknown step $wanted." ;;
    esac
done
for wanted in "$@"; do
    case $wanted in
    up) todo=$steps ;;
    *) todo=$wanted ;;
    esac
    for step in $todo; do
        say "== $step"
        "step_$(say "$step" | tr - _)"
    done
done

# bash completion of rootle: printed by `rootle completion bash`
_rootle()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options=''
	local commands='top record status stop snapshot mark explain incidents map services edges requests traces profile events check export import demo help version completion'
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
		return
	fi
	case $prev in
	--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
	--symptom) COMPREPLY=($(compgen -W 'latency errors' -- "$cur")); return ;;
	--format) COMPREPLY=($(compgen -W 'ndjson' -- "$cur")); return ;;
	--sort) case ${COMP_WORDS[1]} in
		map) COMPREPLY=($(compgen -W 'rate count errors error-ratio latency avg p50 p95 p99 rtt retrans refused open from to' -- "$cur")) ;;
		services) COMPREPLY=($(compgen -W 'rate count errors error-ratio latency avg p50 p95 p99 cpu memory connections restarts service' -- "$cur")) ;;
		edges) COMPREPLY=($(compgen -W 'rate count errors error-ratio latency avg p50 p95 p99 rtt retrans refused open from to' -- "$cur")) ;;
		requests) COMPREPLY=($(compgen -W 'rate count errors error-ratio latency avg p50 p95 p99 from to op' -- "$cur")) ;;
		traces) COMPREPLY=($(compgen -W 'latency time errors spans services' -- "$cur")) ;;
		esac; return ;;
	--protocol) COMPREPLY=($(compgen -W 'tcp udp unix http postgres redis tls dns quic http2 grpc mysql memcached mongodb kafka cassandra amqp amqp1 nats mqtt clickhouse zookeeper dubbo2 foundationdb fastcgi tds ldap smtp' -- "$cur")); return ;;
	--db|--pcap|--write-pcap|--config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	esac
	case ${COMP_WORDS[1]} in
	top) options='--db --pcap --service --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	record) options='--db --for --keep --max-size --write-pcap --detach --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	status) options='--db --json --help --version --color --quiet --verbose --config' ;;
	stop) options='--db --help --version --color --quiet --verbose --config' ;;
	snapshot) options='--db --pcap --since --until --last --help --version --color --quiet --verbose --config' ;;
	mark) options='--db --help --version --color --quiet --verbose --config' ;;
	explain) options='--symptom --baseline --exit-code --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	incidents) options='--db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	map) options='--width --height --tree --dot --svg --protocol --op --status --min-latency --max-latency --sort --limit --follow --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	services) options='--why --time --protocol --op --status --min-latency --max-latency --sort --limit --follow --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	edges) options='--health --time --protocol --op --status --min-latency --max-latency --sort --limit --follow --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	requests) options='--time --protocol --op --status --min-latency --max-latency --sort --limit --follow --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	traces) options='--protocol --op --status --min-latency --max-latency --sort --limit --follow --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	profile) options='--folded --svg --db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	events) options='--db --pcap --since --until --last --service --json --for --no-bpf --no-profile --profile-hz --pid --port --cgroup --exclude-pid --exclude-port --exclude-cgroup --protocols --no-trace-ids --all-traces --raw --tls --tls-pid --tls-budget --cpu-budget --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	check) options='--probes --json --btf --rung --host-root --memory-budget --help --version --color --quiet --verbose --config' ;;
	export) options='--format --db --pcap --since --until --last --help --version --color --quiet --verbose --config' ;;
	import) options='--db --help --version --color --quiet --verbose --config' ;;
	demo) options='--list --keep-running --stop --healthy --fault --json --help --version --color --quiet --verbose --config' ;;
	help) options='--help --version --color --quiet --verbose --config' ;;
	version) options='--help --version --color --quiet --verbose --config' ;;
	completion) options='--help --version --color --quiet --verbose --config' ;;
	esac
	case $cur in
	-*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
	*) COMPREPLY=($(compgen -f -- "$cur")) ;;
	esac
}
complete -o filenames -F _rootle rootle

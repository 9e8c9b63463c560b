# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lifesign_global_optspecs
    string join \n config= listen= web.config.file= embed= record= state-dir= h/help V/version
end

function __fish_lifesign_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lifesign_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lifesign_using_subcommand
    set -l cmd (__fish_lifesign_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lifesign -n "__fish_lifesign_needs_command" -l config -d 'The plan: what to watch. SIGHUP and POST /-/reload read it again (default: targets.toml, else /etc/lifesign/targets.toml)' -r -F
complete -c lifesign -n "__fish_lifesign_needs_command" -l listen -d 'Where to serve metrics and the page: ADDRESS:PORT, localhost:PORT, :PORT for every address, or unix:/PATH; may be given several times (default: the sockets that systemd passes, or else 127.0.0.1:17545)' -r
complete -c lifesign -n "__fish_lifesign_needs_command" -l web.config.file -d 'TLS and passwords for these addresses: a web configuration file as Prometheus\' exporters have it. Read again when it changes' -r -F
complete -c lifesign -n "__fish_lifesign_needs_command" -l embed -d 'Pages of this origin, such as https://news.example, may show the page in a frame; may be given several times (default: nobody\'s)' -r
complete -c lifesign -n "__fish_lifesign_needs_command" -l record -d 'Append every outcome to this journal, as JSON Lines' -r -F
complete -c lifesign -n "__fish_lifesign_needs_command" -l state-dir -d 'Keep episodes, measurements and what was learned in this directory, and continue from them after a restart (default: $STATE_DIRECTORY, as systemd sets it)' -r -F
complete -c lifesign -n "__fish_lifesign_needs_command" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_needs_command" -s V -l version -d 'Print version'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "run" -d 'Probe the hosts of a plan, judge, and serve metrics (the default)'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "replay" -d 'Judge a recorded journal again, with the plan it was recorded with'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "import" -d 'Turn what another prober recorded into a journal, and a plan that fits it'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "simulate" -d 'Simulate a scenario, and compare the verdicts with the truth'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "demo" -d 'Serve the page and the metrics of a simulated December 2014, played fast; sends no probe'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "plan" -d 'Make a plan from what people have (registries, scans, zones), or review one by what its run has learned; sends no probe'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "check" -d 'Read a plan: print its summary, or the first 20 errors in it, each with its place, and how many more there are'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "status" -d 'Show what a running lifesign says'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "episodes" -d 'List episodes (outages, flapping and the like) from the store'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "report" -d 'Write a report on a country as one page of HTML, from the store'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "compare" -d 'Compare what others said of a country with what a store or a journal says'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "export" -d 'Write journals and the store\'s episodes as files for other programs'
complete -c lifesign -n "__fish_lifesign_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l config -d 'The plan: what to watch. SIGHUP and POST /-/reload read it again (default: targets.toml, else /etc/lifesign/targets.toml)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l listen -d 'Where to serve metrics and the page: ADDRESS:PORT, localhost:PORT, :PORT for every address, or unix:/PATH; may be given several times (default: the sockets that systemd passes, or else 127.0.0.1:17545)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l web.config.file -d 'TLS and passwords for these addresses: a web configuration file as Prometheus\' exporters have it. Read again when it changes' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l embed -d 'Pages of this origin, such as https://news.example, may show the page in a frame; may be given several times (default: nobody\'s)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l record -d 'Append every outcome to this journal, as JSON Lines' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -l state-dir -d 'Keep episodes, measurements and what was learned in this directory, and continue from them after a restart (default: $STATE_DIRECTORY, as systemd sets it)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand run" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand replay" -l config -d 'The plan that it was recorded with (default: as for run); if that changed meanwhile, give each plan, in order' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand replay" -l state-dir -d 'Keep what happened in this directory, which has no store yet, for episodes and report' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand replay" -l json -d 'Print changes of verdict as JSON Lines'
complete -c lifesign -n "__fish_lifesign_using_subcommand replay" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l prometheus -d 'Ask this Prometheus for its samples' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l query -d 'What to ask it for; may be given several times (default: what blackbox_exporter says of reachability)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l since -d 'From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or how long ago as 7d or 1h30m' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l until -d 'Up to when, written alike (default: now)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l http.config.file -d 'TLS and password for these requests: an HTTP configuration file as promtool has it' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l map -d 'Which address a name in the data stands for, and its country and block: comma-separated values with a first line such as name,host,country,block' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l only -d 'Take only what has this label, such as job=ping, or prb_id=1000 of RIPE Atlas; may be given several times' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -s o -l output -d 'Write the journal here; - is standard output' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -l plan -d 'Write a plan here that fits the journal' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand import" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -l seed -d 'Use this seed of the random numbers instead of the scenario\'s' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -l speed -d 'Play X times as fast as real time (default: as fast as possible)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -l state-dir -d 'Keep what happens in this directory, which has no store yet, for episodes and report' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -l json -d 'Print changes of verdict as JSON Lines'
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -l truth -d 'Print every real change of state too'
complete -c lifesign -n "__fish_lifesign_using_subcommand simulate" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand demo" -l speed -d 'Play X times as fast as real time; at 1440 its three days take three minutes' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand demo" -l listen -d 'Where to serve metrics and the page, as in `run`; may be given several times' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand demo" -l embed -d 'Pages of this origin may show the page in a frame, as in `run`; may be given several times' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand demo" -l state-dir -d 'Keep what happens in this directory, which has no store yet, for episodes and report' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand demo" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l country -d 'The country\'s code of two letters (ISO 3166-1 alpha-2), as registries have it, such as KP' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l prefix -d 'Its blocks, instead of the /24 and /48 of what registries say' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l asn -d 'Its networks, whose prefixes are taken from a table of announcements (pfx2as), beside those that registries name' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l from -d 'What there is: registries\' delegated files, RIPEstat\'s country-resource-list, pfx2as, scans of ZMap, masscan or nmap, hit lists, zones and transfers, lists of addresses; each as it is or packed with gzip' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l names -d 'Names, one a line, to ask a resolver for: their name servers, mail servers and addresses, and those of their domains' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l resolver -d 'The resolver to ask: ADDRESS or ADDRESS:PORT (default: the system\'s)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l deny -d 'Whom nobody may ask: prefixes or addresses, one a line; the plan names it too' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -s o -l output -d 'Where the plan is written, a file that is not there yet (default: standard output)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l review -d 'Review this plan instead: who to drop and whom of the reserve to take, by what its run has learned, as a diff' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -l state-dir -d 'The state directory of that run (default: $STATE_DIRECTORY, else /var/lib/lifesign)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand plan" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand check" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -l address -d 'Where the running lifesign listens, as in `run`; :PORT is on this machine' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -l http.config.file -d 'TLS and password for the request: an HTTP configuration file as promtool has it' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -l json -d 'Print the answer as JSON'
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -l watch -d 'Ask again every 2 s, until interrupted'
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -l exit-code -d 'Exit as a plugin of Nagios does, by the gravest state of any country: 0 up, 1 degraded or partial, 2 down, flapping or in outage, 3 unknown or no answer. Lines of the countries come first'
complete -c lifesign -n "__fish_lifesign_using_subcommand status" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l state-dir -d 'The state directory of the run (default: $STATE_DIRECTORY, else /var/lib/lifesign)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l db -d 'The store\'s file, such as a copy from another machine' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l since -d 'From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or how long ago as 7d or 1h30m, of what was played before its end; days begin at midnight UTC' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l until -d 'Up to when, written alike (default: now)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l scope -d 'Only this scope: a country\'s code, for the country and all in it, a block\'s prefix, or a network as CODE/NAME or by its number, such as as64500' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l state -d 'With --all: only this state: outage, flapping, down, partial, degraded or unknown' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l all -d 'List every stay in another state than up, and not incidents'
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l json -d 'Print JSON Lines'
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -l csv -d 'Print CSV'
complete -c lifesign -n "__fish_lifesign_using_subcommand episodes" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -l state-dir -d 'The state directory of the run (default: $STATE_DIRECTORY, else /var/lib/lifesign)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -l db -d 'The store\'s file, such as a copy from another machine' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -l since -d 'From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or how long ago as 7d or 1h30m, of what was played before its end; days begin at midnight UTC' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -l until -d 'Up to when, written alike (default: now)' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -l events -d 'Draw below ours what others said, as for compare; may be given several times' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -s o -l output -d 'Where to write the page (default: standard output)' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand report" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand compare" -l events -d 'What others said: events of IODA or annotations of Cloudflare Radar as JSON, or comma-separated values with a first line such as begin,end,who,country,what; may be given several times' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand compare" -l config -d 'The plan that the journal was recorded with (default: as for run); if that changed meanwhile, give each plan, in order' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand compare" -l country -d 'Only this country' -r
complete -c lifesign -n "__fish_lifesign_using_subcommand compare" -l json -d 'Print JSON Lines'
complete -c lifesign -n "__fish_lifesign_using_subcommand compare" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand export" -l parquet -d 'Write Parquet files into this directory, where there is no export yet: one for each hour' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand export" -l config -d 'The plan that the journals were recorded with (default: as for run); if that changed meanwhile, give each plan, in order' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand export" -l state-dir -d 'Write the episodes of the store in this state directory' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand export" -l db -d 'Write the episodes of this store\'s file, such as a copy from another machine' -r -F
complete -c lifesign -n "__fish_lifesign_using_subcommand export" -s h -l help -d 'Print help'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "run" -d 'Probe the hosts of a plan, judge, and serve metrics (the default)'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "replay" -d 'Judge a recorded journal again, with the plan it was recorded with'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "import" -d 'Turn what another prober recorded into a journal, and a plan that fits it'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "simulate" -d 'Simulate a scenario, and compare the verdicts with the truth'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "demo" -d 'Serve the page and the metrics of a simulated December 2014, played fast; sends no probe'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "plan" -d 'Make a plan from what people have (registries, scans, zones), or review one by what its run has learned; sends no probe'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "check" -d 'Read a plan: print its summary, or the first 20 errors in it, each with its place, and how many more there are'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "status" -d 'Show what a running lifesign says'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "episodes" -d 'List episodes (outages, flapping and the like) from the store'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "report" -d 'Write a report on a country as one page of HTML, from the store'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "compare" -d 'Compare what others said of a country with what a store or a journal says'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "export" -d 'Write journals and the store\'s episodes as files for other programs'
complete -c lifesign -n "__fish_lifesign_using_subcommand help; and not __fish_seen_subcommand_from run replay import simulate demo plan check status episodes report compare export help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

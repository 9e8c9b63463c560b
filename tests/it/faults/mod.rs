//! Whatever breaks, lifesign says what it knows and no more. Each row is a test against the real
//! program, in a process, network namespace or mount namespace of its own; rows in brackets are
//! proved elsewhere.
//!
//! | test | what breaks | what it must say | what must not happen |
//! |---|---|---|---|
//! | (`daemon::outages`: our_own_cable_and_route…) | our uplink; our default route | unknown, we are blind; `not_sent` no_route | down |
//! | network: our_own_firewall_forbids_sending | sendto gives EPERM, the controls answer | unknown; `not_sent` permission | down, by TCP's silence |
//! | tcp: our_own_firewall_forbids_tcp_alone | the same for TCP, and nothing else is asked | unknown; `not_sent` permission | down; a packet to find that out |
//! | tcp: a_country_that_is_asked_by_tcp_alone_is_dead | the country, asked by TCP alone | down, outage, up, in time | unknown; a check that reaches a host |
//! | tcp: one_host_is_forbidden_for_good… | one host of TCP or ICMP, by our own firewall; then the country | down, outage, up, in time | unknown |
//! | (`probe::syn_check`: nobody_answers_a_check…) | nothing: a check that reaches a host | | a SYN-ACK, a RST |
//! | (the core, `judge::tests::sight`: single_failures_in_a_long_outage…) | single sends fail, in a long outage | outage | unknown |
//! | (the core, `judge::tests::sight`: what_is_unknown_says_why) | each cause of `unknown` in turn | its name | another's |
//! | network: our_own_gateway_is_dead | nobody answers ARP, the controls answer | unknown; `not_sent` no_route | down; a router's word |
//! | network: our_own_firewall_swallows_all_answers | what comes in is dropped | blind | down |
//! | network: our_own_queue_is_full | sendto gives ENOBUFS | `not_sent` no_buffers | down, flapping |
//! | network: our_own_address_is_gone | no source address | blind | down |
//! | network: our_own_ipv6_is_gone… | our IPv6 route; then its way on; the one control is of IPv4 | blind by IPv6, `blind` per family | down; a word on IPv4 |
//! | network: the_receive_buffer_overruns | the kernel drops answers | `receive_drops` | down; another's answers taken for ours |
//! | (`probe::icmp`: what_the_kernel_drops_is_counted) | the same, packet by packet | each is counted | |
//! | network: the_controls_are_dead_and_the_country_is_alive | the controls; then the country too | `control_up` 0; then blind | unknown at first; down then |
//! | network: the_country_is_dead_and_the_controls_are_alive | the country | down, outage, up | unknown, partial |
//! | (`daemon::outages`: a_country_cut_off…, three_quick_cuts…) | the same in the pace of the design; flapping | in time, with true edges | |
//! | network: one_block_of_four_is_dead | one block | down, outage, partial | a word on the others |
//! | (`daemon::outages`: a_router_that_says_no…) | a router refuses | down, with its address and code | |
//! | network: one_protocol_of_three_is_blocked | ICMP, then TCP, then DNS | overdue probes | down |
//! | network: every_host_refuses_by_its_own_firewall | each host's own firewall, with any ICMP error | `refused` | down |
//! | (the core, `watch::tests::counts`: an_answer_takes_back_the_no_of_a_router; `probe::dns`: an_answer_that_follows…) | a router's no before the answer | the answer; no `duplicate` | a miss |
//! | (`probe::tcp`: an_icmp_error_ends_a_connect…) | a router's no before the answer of TCP | the no: the kernel ends the connect, and resets the answer | |
//! | (`probe::dns`: a_server_whose_answers_are_odd…) | a server changes letter case, or its answer is broken | up, and what is odd | a `rejected` answer |
//! | (`probe::dns`: of_five_hundred_odd_answers…) | a server answers each question 500 times, oddly | one odd answer a question | a journal that grows with it |
//! | (`probe::dns`: a_cut_answer_is_life…) | a long answer is cut, and TCP/53 is silent | up, when it comes | late, overdue |
//! | network: a_name_server_cuts_its_answers… | the same, answer by answer | up | more packets than the budget |
//! | (`probe::dns`: an_icmp_error_is_life_only…; `probe::tcp`: an_icmp_error_is_heard_only…) | ICMP errors of the asked address, forged by the ports alone | `rejected` wrong_id, or a router's no | life |
//! | (`country::counters`: a_country_behind_satellites…; `probe::tcp`: where_it_is_paid_for…) | a path of more than a second, by TCP alone | up | an outage; a round-trip time of a repeated SYN |
//! | (the core, `watch::tests::repeats`: a_dark_country_gets…) | a dark country of TCP alone | outage | more packets than the budget |
//! | (the core, `watch::tests::traps`: a_host_that_drops_other_ports…) | a SYN proxy for 25 s, before a host that drops other ports | unknown, then up | unknown for ever |
//! | (the core, `watch::tests::plausible`: a_box_near_us…) | a box near us resets everything; a restart | outage; `rejected` implausible | up; a spoilt baseline |
//! | network: every_packet_comes_twice | duplicates | `duplicate` | counted as replies |
//! | network: every_answer_waits_four_seconds… | delay beyond all patience, and loss | `late` | outage |
//! | (`daemon::loopback`: an_ordinary_user…) | no permission for ICMP | what to do about it | down |
//! | names: the_resolver_is_dead_at_the_start… | resolver dead at the start, comes, dies again | unresolved; up; nothing | blind; down |
//! | names: the_resolver_is_dead_at_the_start_and_the_addresses_are_known | the resolver, before a restart | up, by the addresses of the run before | unresolved |
//! | (`probe::names`: failures_are_retried_soon…, in the program) | a resolver in a dark country | asked every 10 s | every five minutes |
//! | (`probe::names`: a_name_follows_its_addresses…) | a name changes its address | the new one is asked | |
//! | names: two_hundred_names_are_asked_for… | a resolver that is silent, then fails, and 200 names | one line for all | more than 32 lookups at once |
//! | names: a_name_server_answers_nonsense | garbage for answers | `rejected` or odd, with its reasons; up, where it has our id | |
//! | time: the_clock_is_set_by_an_hour… | the wall clock, by an hour each way | the new time | a change, a wild round-trip time |
//! | time: the_clock_is_slewed | the wall clock, by 0.5 % | | the same |
//! | time: the_machine_is_suspended_for_five_minutes | suspension: boot time and wall clock go on alone | one blind spell; 300 s unknown; edges that span it | a change other than by blindness |
//! | (`store::restarts`: an_outage_goes_on_with_a_clock_that…) | a clock ten minutes behind at a start, and set later | the same outage; its end by the right time | an end; a time before what was known |
//! | (the store: what_a_run_wrote_by_a_wrong_clock…, what_waits_is_corrected…) | the same, row by row | rows of this run are moved | a row of before |
//! | (the store: a_memory_of_another_format_is_not_read) | what another version learned | one line | a guess |
//! | (the core, `judge::evidence_text`: a_time_in_it…) | the clock is set: times in evidence | the new time, like edges | the old |
//! | (the core, `judge::tests::evidence`: targets_are_counted…) | hosts that have gone, in a darkness | as many targets as miss | those that had gone |
//! | (the core, `watch::tests::halts`: nobody_watches_for_five_minutes) | five minutes away | one blind spell of 300 s | down; making up for lost probes |
//! | (the core, `watch::tests::halts`: nobody_watches_while_a_country_is_dark) | the same while it is down | up, when it answers | outage |
//! | (the core, `watch::tests::halts`: what_nobody_watched…) | 45 s away; 300 s in an outage | unknown for as long; edges that span it | up or outage meanwhile |
//! | (the core, `watch::tests::halts`: a_darkness_that_begins…) | 300 s away, just after a cut | down | outage before a minute was watched |
//! | (the core, `watch::tests::halts`: a_country_of_a_hundred_blocks_is_gone) | more misses than are remembered | down, outage | partial |
//! | process: it_is_stopped_for_eight_seconds | SIGSTOP, SIGCONT | one blind spell; unknown seconds; a gap in the journal | down |
//! | process: it_is_starved | 95 % of its time | slots skipped | down |
//! | process: it_runs_out_of_descriptors | descriptors, in an outage of half a country | down for that half: the oldest probes are closed | blind; down for the other half |
//! | process: the_soft_limit_of_descriptors… | ulimit -Sn 64 | as many as ulimit -Hn | |
//! | process: there_are_too_few_descriptors_to_begin | ulimit -n below 32 | one line, exit 70 | a panic |
//! | process: memory_is_short | address space | a line, if it cannot begin | a hang |
//! | process: nothing_piles_up_while_a_country_is_silent | a silent country at a high pace | outage | descriptors without end |
//! | process: a_day_in_forty_seconds… | nothing: a day's probes and 40 plans | | growth from the first half to the second |
//! | process: it_is_asked_to_end_at_any_moment | SIGTERM | exit 0 | a torn line in the journal |
//! | process: it_is_asked_to_end_with_its_first_line | SIGTERM at once | exit 0 | an end by the signal |
//! | process: nobody_takes_what_it_writes | nobody reads its journal, output or errors, and SIGTERM | all pages; exit 0 within 5 s | a hang; pages after the end |
//! | (`line_writer`: all_lines_arrive_or…) | 5,030 verdicts at once; a reader too slow for more | how many lines were lost | a word less than that |
//! | (`probe::names`: a_task_that_panics_is_seen…) | a thread of ours | one line, exit 70 | a watch that does half of its work |
//! | names: nobody_hears_its_complaints | standard error is closed | up, when its resolver comes | a panic |
//! | process: it_is_killed_at_any_moment | SIGKILL | the journal so far | more than the last line torn |
//! | files: the_disk_is_full_and_later_has_room_again | no space for the journal | one line; how many were lost | lines that run together; a word on hosts |
//! | files: the_disk_is_read_only | the journal cannot be opened | one line, exit 73 | |
//! | (`store::disks`: the_disk_is_full…) | no space for the store | one line, `store_failing` 1; one line when it is over | an end; a lost row |
//! | (`store::disks`: the_disk_is_read_only…) | the store's disk is read-only, and later not | the same | the same |
//! | (the store: a_blind_period_is_one_row…, what_was_unknown_of_a_country…, of_what_is_older…) | ten blind spells a day, for a year, at 5,030 blocks | a row for each; below 200 MB | a row for each block |
//! | (the store: a_store_that_can_be_opened_later…) | the store cannot be opened at the start, and later | what was open goes on | two outages |
//! | (the store: a_damaged_store_is_moved_aside…, a_store_that_is_damaged_while…) | the store's file is damaged | one line; moved aside, and a new one | a lost file; no store |
//! | (`store::kills`: two_hundred_kills…) | SIGKILL, 200 times, in restless times | all that was finished | a torn store |
//! | (`store::restarts`: an_outage_goes_on…) | SIGKILL or SIGTERM, and a new start, in an outage | the same outage | two; an end |
//! | (`store::page`: the_page_shows_what_was_before_a_kill) | SIGKILL, a broken row, another plan | the outage of before | one seen where nobody watched |
//! | (`cli::status`: a_second_run_on_the_same_state…) | two runs on one state directory | one line, exit 69 | two that write |
//! | files: the_journal_is_rotated | the journal has another name, then SIGHUP | the rest in a new file | a line in the old one |
//! | (`daemon::journal_writer`: packets_of_others…) | a flood of packets that nobody asked for | their counts | a journal that grows with it |
//! | files: the_journal_is_torn_and_goes_on | half a line at its end | the line is skipped | the next one lost |
//! | files: its_reader_is_stuck | nobody reads standard output | all pages | the watch stands still |
//! | (`daemon::loopback`: the_watch_goes_on_when_nobody_reads…) | standard output is closed | all pages | an end |
//! | (`http::pages`: an_idle_reader…) | a reader that never ends its request | all pages | |
//! | (`http::hostile`: readers_who_do_not_read_keep_no_pages) | readers who ask and do not read | all pages | memory for each second's page |
//! | (`cli::commands`: a_port_in_use…) | the port is taken | one line, exit 69 | |
//! | plan: the_new_plan_is_broken | a broken plan and SIGHUP, POST | each error with its place; 400 | a change of what is watched |
//! | (`config::plans`: each_bad_plan…; `wire::dns_data`: what_an_answer_can_have…) | a plan of what can never work | each error with its place, and what would be right | a run |
//! | (`config::warnings`: blocks_in_which_nobody_can_be…) | blocks for examples | one note | |
//! | (the core, `watch::tests::schedule`: a_short_interval_starves_nobody; `config::plans`: how_often_each_is_asked…) | a host with a short interval of its own | how often each is asked | a host that is never asked |
//! | plan: the_plan_is_gone | no file any more | no such file; 400 | the same |
//! | plan: the_plan_is_a_pipe_or_a_device | the plan is a FIFO, or /dev/zero | no regular file; 400 | a wait; the same |
//! | (`http::pages`: only_an_address_and…) | a page of another site, by DNS rebinding | 421 | a page; a reload |
//! | (`http::pages`: nobody_behind_a_proxy…) | POST through a proxy on this machine | 403 | a reload |
//! | plan: blocks_come_and_go | the plan, on purpose | the new is unknown, the gone is gone | a lost count; a verdict on what stays |
//! | plan: a_reload_is_asked_for_from_elsewhere | POST from another machine | 403 | a reload |
//! | plan: numbers_change_under_answers… | every target's number, each second | | an answer to the wrong target |

mod files;
mod names;
mod network;
mod plan;
mod process;
mod tcp;
mod time;

//! Everything that tests the program from outside, as one test program, so that it is linked once.
//! A module is named after what it tests; `support` is what they share, and `tests/data` what they
//! read.

mod support;

mod core {
    mod cost;
    mod recall;
}

mod lab {
    mod rivals;
}

mod probe {
    mod controls;
    mod descriptors;
    mod dns;
    mod icmp;
    mod name_server;
    mod names;
    mod send_options;
    mod syn_check;
    mod tcp;
    mod tcp_answers;
    mod trace;
}

mod config {
    mod hosts;
    mod plans;
    mod warnings;
}

mod cli {
    mod commands;
    mod complete;
    mod demo;
    mod escapes;
    #[cfg(feature = "parquet")]
    mod export;
    mod plan;
    mod import;
    mod import_truth;
    mod hostile;
    mod outputs;
    mod plan_names;
    mod played;
    mod status;
}

mod daemon {
    mod floods;
    mod loopback;
    mod neighbours;
    mod outages;
    mod paths;
    mod return_paths;
    mod routers;
    mod sources;
    mod systemd;
}

mod faults;

mod store {
    mod disks;
    mod kills;
    mod page;
    mod readers;
    mod restarts;
    mod shown;
}

mod http {
    mod access;
    mod api;
    mod encoding;
    mod hostile;
    mod listen;
    mod pages;
    mod plan;
    mod queries;
    mod state;
}

mod page {
    mod browser;
    mod feed;
    mod kept;
    mod pictures;
    mod render;
    mod report;
    mod smoke;
}

mod prometheus {
    mod exposition;
    mod import;
    mod remote_write;
    mod rules;
    mod scrape;
    mod vantages;
}

mod grafana {
    mod dashboards;
}

mod country {
    mod counters;
    mod forged_answers;
    mod round_trip_times;
    mod scenarios;
    mod several_probers;
}

mod deploy {
    mod fleet;
    mod image;
    mod package;
    mod shipped;
    mod socket;
}

mod docs {
    mod pages;
    mod readme;
}

mod source {
    mod kinds;
    mod packages;
    mod shape;
}

mod fuzz {
    mod corpus;
}

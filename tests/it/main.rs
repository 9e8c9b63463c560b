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
    mod tcp;
}

mod config {
    mod plans;
}

mod cli {
    mod commands;
    mod demo;
    mod status;
}

mod daemon {
    mod loopback;
    mod outages;
    mod routers;
    mod systemd;
}

mod faults;

mod store {
    mod disks;
    mod kills;
    mod page;
    mod restarts;
    mod shown;
}

mod http {
    mod access;
    mod api;
    mod hostile;
    mod pages;
    mod plan;
}

mod page {
    mod browser;
    mod render;
}

mod prometheus {
    mod exposition;
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
    mod package;
    mod shipped;
}

mod docs {
    mod pages;
}

mod source {
    mod kinds;
    mod shape;
}

mod fuzz {
    mod corpus;
}

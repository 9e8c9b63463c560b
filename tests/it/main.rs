//! Everything that tests the program from outside, as one test program, so that it is linked once. A room is named
//! after what it tests; `support` is what they share, and `tests/data` what they read.

mod support;

mod core {
    mod aggregate;
    mod judge;
    mod recall;
    mod replan;
    mod schedule;
}

mod lab {
    mod rivals;
    mod scenarios;
}

mod probe {
    mod controls;
    mod descriptors;
    mod icmp;
    mod name_server;
    mod names;
    mod tcp_dns;
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

mod store;

mod http {
    mod access;
    mod hostile;
    mod pages;
}

mod page;

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
    mod others;
    mod round_trip_times;
    mod scenarios;
}

mod deploy {
    mod package;
    mod shipped;
}

mod docs {
    mod pages;
}

mod source {
    mod floors;
}

mod fuzz {
    mod corpus;
}

mod budget;
mod places;
mod toy;

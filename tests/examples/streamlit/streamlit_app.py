import streamlit as st

st.title("A page of Streamlit")

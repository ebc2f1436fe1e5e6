/* SPDX-License-Identifier: MIT */
/*
 * unroll/real.h: the number type. The library computes in float. Built with UR_DOUBLE it computes
 * in double, with scalar kernels: slower, and what gradient checks need.
 *
 * A program and its library must agree. What an ur_real goes in or out of, and what everything
 * begins with, is another function in double, so that a program of the one does not link with a
 * library of the other:
 *     undefined reference to `ur_tape_new_in_double'      UR_DOUBLE, and the library has float
 *     undefined reference to `ur_tape_new'                no UR_DOUBLE, and the library has double
 */
#ifndef UNROLL_REAL_H
#define UNROLL_REAL_H

#ifdef UR_DOUBLE
typedef double ur_real;

#define ur_batch_find              ur_batch_find_in_double
#define ur_batch_ids               ur_batch_ids_in_double
#define ur_batch_reals             ur_batch_reals_in_double
#define ur_check_gradients         ur_check_gradients_in_double
#define ur_constant                ur_constant_in_double
#define ur_copy_in                 ur_copy_in_in_double
#define ur_crf_decode              ur_crf_decode_in_double
#define ur_data                    ur_data_in_double
#define ur_embed_run               ur_embed_run_in_double
#define ur_examples_frames         ur_examples_frames_in_double
#define ur_examples_pad_frames     ur_examples_pad_frames_in_double
#define ur_grad                    ur_grad_in_double
#define ur_linear_run              ur_linear_run_in_double
#define ur_model_load              ur_model_load_in_double
#define ur_model_load_memory       ur_model_load_memory_in_double
#define ur_model_loss              ur_model_loss_in_double
#define ur_model_new               ur_model_new_in_double
#define ur_model_outputs           ur_model_outputs_in_double
#define ur_moments                 ur_moments_in_double
#define ur_param_data              ur_param_data_in_double
#define ur_params_grads            ur_params_grads_in_double
#define ur_params_new              ur_params_new_in_double
#define ur_params_values           ur_params_values_in_double
#define ur_rnn_run                 ur_rnn_run_in_double
#define ur_rnn_step                ur_rnn_step_in_double
#define ur_rnn_step_ids            ur_rnn_step_ids_in_double
#define ur_beam_search             ur_beam_search_in_double
#define ur_beam_search_all         ur_beam_search_all_in_double
#define ur_predictor_frames        ur_predictor_frames_in_double
#define ur_runner_begin            ur_runner_begin_in_double
#define ur_runner_output           ur_runner_output_in_double
#define ur_runner_run              ur_runner_run_in_double
#define ur_session_logits          ur_session_logits_in_double
#define ur_state_buffer            ur_state_buffer_in_double
#define ur_state_data              ur_state_data_in_double
#define ur_state_observe           ur_state_observe_in_double
#define ur_state_observe_gradients ur_state_observe_gradients_in_double
#define ur_tape_new                ur_tape_new_in_double
#define ur_train                   ur_train_in_double
#define ur_train_options_init_size ur_train_options_init_size_in_double
#define ur_train_plan              ur_train_plan_in_double
#define ur_train_set               ur_train_set_in_double
#define ur_variable                ur_variable_in_double
#define ur_viterbi                 ur_viterbi_in_double
#define ur_weighted_cross_entropy  ur_weighted_cross_entropy_in_double
#define ur_weights_read            ur_weights_read_in_double
#else
typedef float ur_real;
#endif
#endif
